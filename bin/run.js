#!/usr/bin/env node
import '../dist/cli/debug.js';
import {execute, settings} from '@oclif/core';
import {joinTopic} from '../dist/cli/command-line.js';
import {putCommandFirst} from '../dist/cli/leading-flags.js';

process.title = 'atomctl';
settings.enableAutoTranspile = false;
await execute({args: joinTopic(putCommandFirst(process.argv.slice(2))), dir: import.meta.url});
