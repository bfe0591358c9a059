import { VERSION } from '../../lib/version.ts'

process.stdout.write(`keystone-edge-auth ${VERSION}\n`)
