import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ApiError } from '../../src/cluster/api/types.ts';
import { Election } from '../../src/cluster/lease/index.ts';
import { TermFence } from '../../src/master/term-fence.ts';
import { fenced } from '../../src/ovsdb-state/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLeaseServer, type Weather } from '../support/fake-lease-api.ts';
import { SharedNorthbound } from '../support/shared-northbound.ts';

const CANDIDATES = 3;
const STEP = 500;
const FAULTY_STEPS = 90;
/** A lease, a deadline and some pauses: in that time somebody must lead when nothing goes wrong any more. */
const CALM_STEPS = 60;

const kinds = ['unreachable', 'answers lost', 'slow', 'stopped', 'deaf', 'timeless'] as const;
type Kind = (typeof kinds)[number];

/** What befalls a candidate for a while, in steps. */
interface Fault {
  readonly candidate: number;
  readonly kind: Kind;
  readonly from: number;
  readonly length: number;
}

const faults: fc.Arbitrary<readonly Fault[]> = fc.array(
  fc.record({
    candidate: fc.nat({ max: CANDIDATES - 1 }),
    kind: fc.constantFrom(...kinds),
    from: fc.nat({ max: FAULTY_STEPS - 10 }),
    length: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 8 },
);

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A master as far as leading goes. What it writes is nothing but an attempt. */
class Candidate implements Weather {
  readonly election: Election;
  readonly suffers = new Set<Kind>();
  readonly #session: ReturnType<SharedNorthbound['session']>;
  readonly #fence: TermFence;
  readonly #clock = new FakeClock();
  #missed = 0;
  #resume: (() => void)[] = [];

  constructor(identity: string, server: FakeLeaseServer, northbound: SharedNorthbound, random: () => number) {
    this.#session = northbound.session();
    this.election = new Election({
      ...{ api: server.client(this), namespace: 'n', name: 'l', identity, random, clock: this.#clock },
      log: silent,
    });
    this.#fence = new TermFence({
      ...{ leadership: this.election, database: this.#session, clock: this.#clock },
      ...{ installation: 'test', log: silent },
    });
    this.election.start();
  }

  async before(): Promise<void> {
    if (this.suffers.has('unreachable')) throw new ApiError('unreachable', { status: 0 });
    await this.#asSlowAsItIs();
  }

  async after(): Promise<void> {
    await this.#asSlowAsItIs();
    if (this.suffers.has('answers lost')) throw new ApiError('connection reset', { status: 0 });
  }

  /** Time passes for everybody but those whose clock stands, or who are stopped: these wake up to a later time. */
  pass(): void {
    this.#missed += STEP;
    if (this.suffers.has('stopped') || this.suffers.has('timeless')) return;
    this.#clock.advance(this.#missed);
    this.#missed = 0;
    if (!this.suffers.has('slow')) for (const resume of this.#resume.splice(0)) resume();
    if (!this.suffers.has('deaf')) this.#session.deliver();
  }

  /** Tries to write, whatever it knows. The term under which that was done, undefined where it was refused. */
  async write(): Promise<number | undefined> {
    if (this.suffers.has('stopped')) return undefined;
    const { term } = this.#fence;
    try {
      await fenced(this.#session, this.#fence).transact([{ op: 'comment', comment: 'a change' }]);
      return term;
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#fence.close();
    for (const resume of this.#resume.splice(0)) resume();
  }

  #asSlowAsItIs(): Promise<void> {
    if (!this.suffers.has('slow') && !this.suffers.has('stopped')) return Promise.resolve();
    return new Promise(resolve => this.#resume.push(resolve));
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve));
}

it('of many candidates one at most can write at a time, terms only grow, and after all faults one leads', async () => {
  await fc.assert(
    fc.asyncProperty(
      faults,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (plan, numbers) => {
        const server = new FakeLeaseServer();
        const northbound = new SharedNorthbound();
        const random = () => numbers.next().value ?? 0;
        const candidates = Array.from(
          { length: CANDIDATES },
          (_, index) => new Candidate(`c${index}`, server, northbound, random),
        );
        let highest = 0;
        const holders = new Map<number, number>();
        let writers: readonly number[] = [];
        for (let step = 0; step < FAULTY_STEPS + CALM_STEPS; step++) {
          for (const [index, candidate] of candidates.entries()) {
            const now = plan.filter(
              ({ candidate: who, from, length }) =>
                who === index && step < FAULTY_STEPS && step >= from && step < from + length,
            );
            candidate.suffers.clear();
            for (const { kind } of now) candidate.suffers.add(kind);
            candidate.pass();
          }
          await settle();
          const terms = [];
          for (const candidate of candidates) terms.push(await candidate.write());
          writers = terms.flatMap((term, index) => (term === undefined ? [] : [index]));
          expect(writers.length).toBeLessThanOrEqual(1);
          for (const [index, term] of terms.entries()) {
            if (term === undefined) continue;
            expect(term).toBeGreaterThanOrEqual(highest);
            highest = term;
            expect(holders.get(term) ?? index).toBe(index);
            holders.set(term, index);
          }
          const believers = candidates.filter(
            ({ election, suffers }) => election.term !== undefined && !suffers.has('stopped'),
          );
          // Only a clock that does not run makes two believe it; then it is the northbound that refuses one of them.
          if (!plan.some(({ kind }) => kind === 'timeless')) expect(believers.length).toBeLessThanOrEqual(1);
        }
        expect(writers).toHaveLength(1);
        for (const candidate of candidates) candidate.close();
        await Promise.all(candidates.map(({ election }) => election.release()));
      },
    ),
    { numRuns: 12 },
  );
}, 30_000);
