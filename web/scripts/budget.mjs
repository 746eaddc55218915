/** Fails the build when what a browser must load before the first page is more script than we promise. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 300 * 1024;
const dist = join(import.meta.dirname, "..", "dist");
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));

const first = new Set();
const walk = (name) => {
  if (first.has(name)) return;
  first.add(name);
  for (const next of manifest[name].imports ?? []) walk(next);
};
walk("index.html");

const size = (file) => gzipSync(readFileSync(join(dist, file))).length;
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const scripts = [...first].map((name) => manifest[name].file);
const script = scripts.reduce((sum, file) => sum + size(file), 0);
const styles = new Set([...first].flatMap((name) => manifest[name].css ?? []));
const style = [...styles].reduce((sum, file) => sum + size(file), 0);

console.log(`first load: ${kib(script)} of script in ${scripts.length} files (limit ${kib(LIMIT)}), ${kib(style)} of style`);
if (script > LIMIT) {
  for (const file of scripts) console.error(`  ${file}: ${kib(size(file))}`);
  console.error("over the limit: load what the first page does not need lazily");
  process.exit(1);
}
