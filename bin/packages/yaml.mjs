/** What atomctl reads YAML with. From yaml's build of ES modules, of which esbuild leaves out what is not used. */
export {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from '../../node_modules/yaml/browser/dist/index.js';
