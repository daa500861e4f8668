'use strict';
/** Stands for packages that atomctl never loads. */
throw new Error('This package is not part of atomctl.');
