declare module 'asl-validator' {
  type Result = { isValid: boolean; errorsText: (separator?: string) => string }
  export default function validate(definition: object, options?: { checkArn?: boolean }): Result
}
