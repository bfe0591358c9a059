import { buildCommand } from '@stricli/core'
import type { CommandContext } from '../context.ts'

/** Asks the command itself for what may follow; the last word may be half written. */
const SCRIPTS = {
  bash: `_keystone_edge_auth() {
  local IFS=$'\\n'
  COMPREPLY=($(keystone-edge-auth __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _keystone_edge_auth keystone-edge-auth
`,
  zsh: `#compdef keystone-edge-auth
_keystone_edge_auth() {
  local -a found
  found=(\${(f)"$(keystone-edge-auth __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a found || _files
}
compdef _keystone_edge_auth keystone-edge-auth
`,
  fish: `complete -c keystone-edge-auth -a '(keystone-edge-auth __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const

type Shell = keyof typeof SCRIPTS

/** `keystone-edge-auth completion bash|zsh|fish` */
export const completionCommand = buildCommand<Record<never, never>, [Shell], CommandContext>({
  func(this: CommandContext, _flags, shell) {
    this.process.stdout.write(SCRIPTS[shell])
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'bash, zsh or fish',
          placeholder: 'SHELL',
          parse: toShell,
          proposeCompletions: () => Object.keys(SCRIPTS),
        },
      ],
    },
  },
  docs: {
    brief: 'Prints the completion for a shell',
    fullDescription: 'Prints the completion for a shell.\n\nExample:\n  source <(keystone-edge-auth completion bash)',
  },
})

function toShell(text: string): Shell {
  if (text === 'bash' || text === 'zsh' || text === 'fish') return text
  throw new Error('expected bash, zsh or fish')
}
