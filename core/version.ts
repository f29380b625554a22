/** What the API says it is; a test holds it against package.json, which bundles would carry whole. */
export const version = '0.1.0'
