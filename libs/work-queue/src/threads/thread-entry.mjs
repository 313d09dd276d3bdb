/**
 * What a thread of the pool runs: the default export of the module `file`, for its result as a ThreadAnswer. Plain
 * JavaScript, since a new thread loads it as it is, also where the library runs from its TypeScript sources.
 */

/** Causes of causes that are carried along; more would only be a circle. */
const MAX_CAUSES = 5;

export default async function run({ file, input, isCheck }) {
  try {
    const { default: work } = await import(file);
    if (typeof work !== 'function') throw new TypeError('expected its default export to be a function');
    // n.b. copied here already: a result that cannot be would end the thread without a word.
    return { value: isCheck ? undefined : structuredClone(await work(input)) };
  } catch (thrown) {
    return { thrown: describe(thrown, MAX_CAUSES) };
  }
}

/** Structured clone keeps no more of an error than message and stack. */
function describe(thrown, causes) {
  if (!(thrown instanceof Error)) return { value: isCloneable(thrown) ? thrown : String(thrown) };
  const { name, message, stack, cause } = thrown;
  const fields = Object.entries(thrown).filter(([key, value]) => key !== 'cause' && isCloneable(value));
  return {
    error: { name, message, stack, fields: Object.fromEntries(fields) },
    ...(cause === undefined || causes === 0 ? {} : { cause: describe(cause, causes - 1) }),
  };
}

function isCloneable(value) {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
