/** What the wrappers read from their environment. Imported before them. */
process.env.STAGE = 'test'
process.env.AWS_REGION ??= 'us-east-1'
