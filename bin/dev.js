#!/usr/bin/env -S node --enable-source-maps
import {execute} from '@oclif/core';

await execute({development: true, dir: import.meta.url});
