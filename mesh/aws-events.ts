/* The detail types of what services of AWS tell of themselves. */

export const invocationSucceeded = 'Lambda Function Invocation Result - Success'
export const invocationFailed = 'Lambda Function Invocation Result - Failure'
export const executionChanged = 'Step Functions Execution Status Change'
