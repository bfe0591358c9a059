// What a call with a cached token does not need. The bundle keeps this file and all that it imports as one text, which
// is compiled only when main.ts or get-credential.ts imports it: see src/dev/bundle-commands.ts.
export { VERSION } from '../../lib/version.ts'
export { renderHelp } from './help.ts'
export { renew } from './renew.ts'
export { logOut, printStatus } from './status.ts'
