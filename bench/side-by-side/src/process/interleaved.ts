import { rotated } from '../report/rounds.js';
import type { Surroundings } from '../surroundings.js';
import { MeasuredProcess } from './measured-process.js';

/** Who is measured at what, and how often. */
interface Interleaving<Client extends string, Scenario> {
  readonly clients: readonly Client[];
  /** The file that a client's process runs. */
  readonly fileOf: (client: Client) => URL;
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
}

/** A client in its process, for the whole run: its code is compiled once. */
interface Candidate<Client extends string, Question extends object, Answer> {
  readonly client: Client;
  readonly process: MeasuredProcess<Question, Answer>;
}

/** One measurement. Rounds count from 1. */
export interface Cell<Client extends string, Scenario, Question extends object, Answer> extends Candidate<
  Client,
  Question,
  Answer
> {
  readonly round: number;
  readonly scenario: Scenario;
}

/** Not counted: everybody's code is compiled. */
const WARM_UP_ROUND = 0;

/**
 * Every round runs every scenario with every client, one at a time, in an order that rotates.
 * @returns a sample of each cell, without those of a first round of warm-up
 */
export async function interleave<
  Client extends string,
  Scenario extends { readonly name: string },
  Question extends object,
  Answer,
  Sample,
>(
  plan: Interleaving<Client, Scenario>,
  { say, signal }: Surroundings,
  measure: (cell: Cell<Client, Scenario, Question, Answer>) => Promise<Sample>,
): Promise<Sample[]> {
  const candidates = plan.clients.map((client): Candidate<Client, Question, Answer> => {
    const process = new MeasuredProcess<Question, Answer>({
      name: client,
      file: plan.fileOf(client),
      signal,
    });
    return { client, process };
  });
  const samples: Sample[] = [];
  try {
    for (const cell of cellsOf(plan, candidates)) {
      say(progressOf(cell, plan.rounds));
      const sample = await measure(cell);
      if (cell.round !== WARM_UP_ROUND) samples.push(sample);
    }
    return samples;
  } finally {
    await Promise.all(candidates.map(({ process }) => process.stop()));
  }
}

function cellsOf<Client extends string, Scenario, Question extends object, Answer>(
  { rounds, scenarios }: Interleaving<Client, Scenario>,
  candidates: ReadonlyArray<Candidate<Client, Question, Answer>>,
): Array<Cell<Client, Scenario, Question, Answer>> {
  const cellsOfRound = (round: number, those: readonly Scenario[]) =>
    those.flatMap((scenario, turn) =>
      rotated(candidates, round + turn).map((candidate) => ({ ...candidate, round, scenario })),
    );
  return [
    ...cellsOfRound(WARM_UP_ROUND, scenarios.slice(0, 1)),
    ...Array.from({ length: rounds }, (_, index) => cellsOfRound(index + 1, scenarios)).flat(),
  ];
}

interface CellName {
  readonly round: number;
  readonly scenario: { readonly name: string };
  readonly client: string;
}

function progressOf({ round, scenario, client }: CellName, rounds: number): string {
  const when = round === WARM_UP_ROUND ? 'warm-up' : `round ${round} of ${rounds}`;
  return `${when}: ${scenario.name}: ${client}`;
}
