// The same as fit_bench --once, by Garmin's own JavaScript SDK: MB/s of CPU time over all files.
//   node fit_peer.mjs FOLDER_OF_NODE_MODULES FILE...
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, ...names] = process.argv.slice(2);
const require = createRequire(folder + '/');
const { Decoder, Stream } = await import(pathToFileURL(require.resolve('@garmin/fitsdk')).href);
const files = names.map((name) => fs.readFileSync(name));

let points = 0;
function decodeAll() {
  let bytes = 0;
  for (const file of files) {
    const { messages } = new Decoder(Stream.fromBuffer(file)).read({ mergeHeartRates: false });
    points += messages.recordMesgs?.length ?? 0;
    bytes += file.length;
  }
  return bytes;
}

decodeAll(); // the compiler's warm-up does not count against it
const start = process.cpuUsage();
let bytes = 0;
let spent = 0;
do {
  bytes += decodeAll();
  const usage = process.cpuUsage(start);
  spent = (usage.user + usage.system) / 1e6;
} while (spent < 0.5);
console.log((bytes / spent / 1e6).toFixed(2));
if (points === 0) process.exit(1);
