import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';

/** Rows that are drawn at first, and with each demand for more. */
const PAGE = 100;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChild;
  /** Numbers stand under each other. */
  readonly numeric?: true;
  /** What is left out where there is little room. */
  readonly minor?: true;
}

export interface TableParts<Row> {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row, index: number) => string;
  readonly columns: readonly Column<Row>[];
  /** What is looked for in; without it there is nothing to look for. */
  readonly textOf?: (row: Row) => string;
  readonly onChoose?: (row: Row) => void;
  readonly isChosen?: (row: Row) => boolean;
  /** What is said where there are none. */
  readonly nothing: string;
  /** Cells stand below each other where there is little room. */
  readonly stacks?: true;
}

/** A list with a filter. The first cell of a row is the button that chooses it. */
export function Table<Row>({
  caption,
  rows,
  keyOf,
  columns,
  textOf,
  onChoose,
  isChosen,
  nothing,
  stacks,
}: TableParts<Row>): ComponentChild {
  const [wanted, setWanted] = useState('');
  const [shown, setShown] = useState(PAGE);
  const found =
    wanted === '' || textOf === undefined ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted.toLowerCase()));
  if (rows.length === 0) return <p class="card nothing">{nothing}</p>;
  return (
    <div class="card table-card">
      {textOf !== undefined && (
        <div class="table-tools">
          <input
            type="search"
            placeholder="Filter"
            aria-label={`Filter ${caption.toLowerCase()}`}
            value={wanted}
            onInput={({ currentTarget }) => setWanted(currentTarget.value)}
          />
          <span class="muted" aria-live="polite">
            {found.length === rows.length ? '' : `${found.length} of ${rows.length}`}
          </span>
        </div>
      )}
      <div class="table-scroll">
        <table class={stacks === true ? 'stacks' : ''}>
          <caption class="for-readers">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.title} scope="col" class={classOf(column)}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown).map((row, place) => (
              <tr key={keyOf(row, place)} class={isChosen?.(row) === true ? 'chosen-row' : ''}>
                {columns.map((column, index) => (
                  <td key={column.title} class={classOf(column)}>
                    {index === 0 && onChoose !== undefined ? (
                      <button type="button" class="row-button" aria-pressed={isChosen?.(row) === true} onClick={() => onChoose(row)}>
                        {column.cell(row)}
                      </button>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > shown && (
        <button type="button" class="more" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, found.length - shown)} more of {found.length - shown}
        </button>
      )}
    </div>
  );
}

function classOf<Row>({ numeric, minor }: Column<Row>): string {
  return [numeric === true ? 'numeric' : '', minor === true ? 'minor' : ''].join(' ').trim();
}
