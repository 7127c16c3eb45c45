/** What changesets knows of one change. */
interface Change {
  /** What its file in `.changeset` says. */
  readonly summary: string;
}

/** A change as it stands in CHANGELOG.md. */
export function getReleaseLine({ summary }: Change): string {
  return `- ${summary.trim().replaceAll(/\n(?=.)/g, '\n  ')}`;
}

/** Nothing of packages that others depend on: all have one version. */
export function getDependencyReleaseLine(): string {
  return '';
}
