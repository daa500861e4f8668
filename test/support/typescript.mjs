/** `node --import ./test/support/typescript.mjs FILE.ts`: Node 20 does not take TypeScript by itself. */
import {register} from 'node:module';

register('./typescript-loader.mjs', import.meta.url);
