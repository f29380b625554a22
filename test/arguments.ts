/** A whole number that was given as an argument. @throws Error that says what was expected */
export function wholeNumber(name: string, text: string, least = 1): number {
  const number = Number(text)
  if (/^-?\d+$/.test(text) && number >= least && Number.isSafeInteger(number)) return number
  throw new Error(`${name}: expected a whole number from ${least} on, got ${JSON.stringify(text)}`)
}

/** What a tool was asked for. A mistake is one line and exit code 2, before anything is begun. */
export function argumentsOf<Asked>(usage: string, read: (given: string[]) => Asked): Asked {
  const given = process.argv.slice(2)
  if (given.includes('--help') || given.includes('-h')) {
    console.log(`usage: ${usage}`)
    process.exit(0)
  }
  try {
    return read(given)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; usage: ${usage}`)
    process.exit(2)
  }
}
