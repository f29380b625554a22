import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Accepts one finding of a rule pack on this construct and what is in it, and says why. */
export const acknowledge = (construct: IConstruct, id: string, reason: string): void =>
  Validations.of(construct).acknowledge({ id, reason })

/** For policies that name an ARN which a parameter of the state stack holds: the checker takes the name for the value. */
export const acknowledgeParameterArn = (role: IConstruct): void =>
  acknowledge(
    role,
    'cdk-preflight::pf-iam-policy-resource-format',
    'the ARN is in a parameter, whose name the checker takes for its value',
  )
