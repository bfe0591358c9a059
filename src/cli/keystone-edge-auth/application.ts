import { type ApplicationText, buildApplication, buildRouteMap, text_en } from '@stricli/core'
import { escapeHiddenCharacters } from '../../lib/hidden-characters.ts'
import { VERSION } from '../../lib/version.ts'
import { EXIT, isCommandError } from './command-error.ts'
import { callerRoutes } from './commands/caller.ts'
import { checkCommand } from './commands/check.ts'
import { completionCommand } from './commands/completion.ts'
import { diffCommand } from './commands/diff.ts'
import { doctorCommand } from './commands/doctor.ts'
import { explainMappingCommand, explainPolicyCommand } from './commands/explain.ts'
import { importCommand } from './commands/import.ts'
import { initCommand } from './commands/init.ts'
import { kubeconfigCommand } from './commands/kubeconfig.ts'
import { kvCommands } from './commands/kv.ts'
import { setupCommand } from './commands/setup.ts'
import { staticTokenRoutes } from './commands/static-token.ts'
import { tailCommand } from './commands/tail.ts'
import { makeVisible } from './output.ts'

const routes = buildRouteMap({
  routes: {
    init: setupCommand,
    mapping: buildRouteMap({
      routes: {
        check: checkCommand('mapping'),
        explain: explainMappingCommand,
        diff: diffCommand('mapping'),
        init: initCommand('mapping'),
        ...kvCommands('mapping'),
      },
      docs: { brief: 'Who the users of Keystone are in Kubernetes (document mapping)' },
    }),
    policy: buildRouteMap({
      routes: {
        check: checkCommand('policy'),
        explain: explainPolicyCommand,
        diff: diffCommand('policy'),
        init: initCommand('policy'),
        ...kvCommands('policy'),
      },
      docs: { brief: 'What the users of Keystone may do in Kubernetes (document policy)' },
    }),
    authenticators: buildRouteMap({
      routes: { check: checkCommand('authenticators'), ...kvCommands('authenticators') },
      docs: { brief: 'Static tokens and HTTP Basic (document authenticators)' },
    }),
    callers: buildRouteMap({
      routes: { check: checkCommand('callers'), ...kvCommands('callers') },
      docs: { brief: 'Clusters and their credentials (document callers)' },
    }),
    import: importCommand,
    doctor: doctorCommand,
    tail: tailCommand,
    kubeconfig: kubeconfigCommand,
    caller: callerRoutes,
    'static-token': staticTokenRoutes,
    completion: completionCommand,
  },
  docs: {
    brief: 'Administers keystone-edge-auth: checks, explains and compares its documents',
    fullDescription: [
      'Administers keystone-edge-auth: checks, explains and compares its documents.',
      '',
      'Exit codes: 0 done or nothing to do; 1 a fault or a difference; 2 wrong usage; 3 something needed cannot be reached.',
      'Every command that prints data takes -o json, and then prints one JSON value and nothing else on standard output.',
    ].join('\n'),
  },
})

const text: ApplicationText = {
  ...text_en,
  exceptionWhileRunningCommand: describeError,
  exceptionWhileParsingArguments: (error) => `error: ${messageOf(error)}\nhint: --help shows the usage and examples`,
  noCommandRegisteredForInput({ input, corrections }) {
    const meant = corrections.length > 0 ? `, did you mean ${corrections.join(' or ')}?` : ''
    return `error: there is no command ${escapeHiddenCharacters(input)}${meant}\nhint: --help lists the commands`
  },
}

function describeError(error: unknown): string {
  if (isCommandError(error))
    return makeVisible(`error: ${error.message}${error.hint ? `\nhint: ${error.hint}` : ''}`, false)
  const details = error instanceof Error ? (error.stack ?? error.message) : 'an unknown error'
  return `error: a fault of keystone-edge-auth itself; please report it:\n${details}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? escapeHiddenCharacters(error.message) : 'an argument cannot be read'
}

/** All commands. Each loads its own code when it is called. */
export const application = buildApplication(routes, {
  name: 'keystone-edge-auth',
  versionInfo: { currentVersion: VERSION },
  scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
  documentation: { caseStyle: 'convert-camel-to-kebab', disableAnsiColor: true, useAliasInUsageLine: true },
  localization: { text },
  determineExitCode: (error) => (isCommandError(error) ? error.exitCode : EXIT.fault),
})
