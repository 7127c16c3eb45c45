import { join } from 'node:path';
import { ROOT } from '@matryoshka/checks/workspace';
import { Application, Comment, DeclarationReflection, LogLevel, Logger, type ProjectReflection, ReflectionKind } from 'typedoc';
import type { Library } from './libraries.ts';

/** All libraries, in one program: so links lead from one into another. */
const TSCONFIG: string = join(import.meta.dirname, '..', 'tsconfig.api.json');

/** What became of the reference. */
export interface Outcome {
  /** What is wrong; only where there is nothing it was written. */
  readonly faults: readonly string[];
  /** How many things each entry exports, types included, by the name of the entry. */
  readonly exported: ReadonlyMap<string, number>;
}

/** Keeps what is wrong: warnings are errors here. */
class Faults extends Logger {
  readonly list: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.list.push(message);
  }
}

/** Builds the reference of `libraries`, which `tsconfig` includes, into the folder `out`, unless something is wrong. */
export async function buildReference(libraries: readonly Library[], out: string, tsconfig: string = TSCONFIG): Promise<Outcome> {
  const app = await Application.bootstrap({
    name: 'Matryoshka',
    readme: 'none',
    tsconfig,
    entryPoints: libraries.flatMap(({ entries }) => entries.map(({ source }) => source)),
    packagesRequiringDocumentation: libraries.map(({ name }) => name),
    excludePrivate: true,
    excludeInternal: true,
    displayBasePath: ROOT,
    // Into the working copy that the pages lie in, as they are three folders deep.
    disableGit: true,
    sourceLinkTemplate: '../../../{path}#L{line}',
    hideGenerator: true,
    // The types step of the gate does that.
    skipErrorChecking: true,
    requiredToBeDocumented: ['Enum', 'Variable', 'Function', 'Class', 'Interface', 'Method', 'Accessor', 'TypeAlias'],
    validation: { notExported: true, notDocumented: true, invalidLink: true },
  });
  const { list: faults } = (app.logger = new Faults());
  const project = await app.convert();
  if (project === undefined) return { faults, exported: new Map() };
  const modules = nameModules(project, libraries);
  // Types that can be reached and are not exported are looked for in the package whose name the project bears: the one for users.
  project.packageName = '@matryoshka/node';
  app.validate(project);
  delete project.packageName;
  faults.push(...undocumentedProperties(project, new Set(libraries.map(({ name }) => name))));
  if (faults.length === 0) await app.generateDocs(project, out);
  return { faults, exported: new Map(modules.map(({ name, children = [] }) => [name, children.length])) };
}

/** Gives each module the name it is imported by, and the main ones what their package says of itself. */
function nameModules(project: ProjectReflection, libraries: readonly Library[]): readonly DeclarationReflection[] {
  const modules = project.getReflectionsByKind(ReflectionKind.Module).filter((item) => item instanceof DeclarationReflection);
  const sourceOf = (module: DeclarationReflection): string | undefined => module.sources?.[0]?.fullFileName;
  for (const { description, entries } of libraries) {
    for (const [index, { name, source }] of entries.entries()) {
      const module = modules.find((candidate) => sourceOf(candidate) === source);
      if (module === undefined) throw new Error(`no module was made of ${source}`);
      module.name = name;
      if (index === 0) module.comment = new Comment([{ kind: 'text', text: description }]);
    }
  }
  return modules;
}

/**
 * Properties without a word. Two kinds need none: those that have one value (`type: 'hello'`), and the fields of an object
 * type that stands within the declaration of something else, which has the words. TypeDoc's own check knows no such thing.
 */
function undocumentedProperties(project: ProjectReflection, ours: ReadonlySet<string>): readonly string[] {
  return project
    .getReflectionsByKind(ReflectionKind.Property)
    .filter((item) => item instanceof DeclarationReflection)
    .filter(({ type, parent }) => type?.type !== 'literal' && parent?.kindOf(ReflectionKind.TypeLiteral) !== true)
    .filter((item) => !item.hasComment() && ours.has(project.getSymbolIdFromReflection(item)?.packageName ?? ''))
    .map((item) => `${item.getFriendlyFullName()} does not have any documentation`);
}
