import { VERSION } from '../../lib/version.ts'

process.stdout.write(`client-keystone-auth ${VERSION}\n`)
