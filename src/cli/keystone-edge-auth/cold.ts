// What the commands do. The bundle keeps this file and all that it imports as one text, which is compiled only when a command
// runs: see src/dev/bundle-commands.ts. Arguments, --help and completion do not need it.

/** The code of each command, evaluated when the command is called. */
export const commands = {
  caller: () => import('./credentials/run-caller.ts'),
  check: () => import('./check/run-check.ts'),
  diff: () => import('./diff/run-diff.ts'),
  doctor: () => import('./doctor/run-doctor.ts'),
  explainMapping: () => import('./explain/explain-mapping.ts'),
  explainPolicy: () => import('./explain/explain-policy.ts'),
  import: () => import('./import/run-import.ts'),
  init: () => import('./init/run-init.ts'),
  kubeconfig: () => import('./kubeconfig/run-kubeconfig.ts'),
  kv: () => import('./kv/run-kv.ts'),
  setup: () => import('./setup/run-setup.ts'),
  staticToken: () => import('./credentials/run-static-token.ts'),
  tail: () => import('./tail/run-tail.ts'),
}
