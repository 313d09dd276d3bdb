import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from './project.mjs';

// `tsc -b --clean` would leave the output of sources that are gone.
const packages = ['libs', 'apps', 'bench']
  .map((folder) => inProject(folder))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));

for (const folder of packages) {
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tsbuildinfo')))
    rmSync(join(folder, file));
}
