/** All commands by their ids, out of the build, as oclif reads them to make the manifest. */
import start from '../dist/start/main.cjs';

const loaded = Object.entries(start.COMMANDS).map(async ([id, load]) => [id, (await load()).default]);
export default Object.fromEntries(await Promise.all(loaded));
