import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configurationVersion } from '../../../../src/cli/keystone-edge-auth/kubeconfig/authorization-configuration.ts'
import { useCommandLine } from './command-line.ts'

const cli = useCommandLine()
const URL = ['--url', 'https://k8s-auth.example.com/']
const PLATFORMS = ['kubeadm', 'k3s', 'rke2', 'talos', 'magnum', 'structured']

describe('kubeconfig', () => {
  it('prints the kubeconfig for the webhook flags, as YAML', async () => {
    const { code, stdout, stderr } = await cli.run(['kubeconfig', 'prod-1', ...URL])
    expect([code, stderr]).toEqual([0, ''])
    expect(parse(stdout)).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'keystone-edge-auth', cluster: { server: 'https://k8s-auth.example.com/clusters/prod-1/webhook' } },
      ],
      users: [{ name: 'kube-apiserver', user: { tokenFile: '/etc/kubernetes/keystone/caller-token' } }],
      contexts: [{ name: 'webhook', context: { cluster: 'keystone-edge-auth', user: 'kube-apiserver' } }],
      'current-context': 'webhook',
    })
  })

  it('puts in the authority of the certificate', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n'
    const { stdout } = await cli.run(['kubeconfig', 'prod-1', ...URL, '--cacert', cli.write('ca.crt', pem)])
    const data = parse(stdout).clusters[0].cluster['certificate-authority-data']
    expect(Buffer.from(data, 'base64').toString()).toBe(pem)
    expect((await cli.run(['kubeconfig', 'prod-1', ...URL, '--cacert', cli.write('none.crt', 'x')])).code).toBe(2)
  })

  it.each(PLATFORMS)('shows what has to change for %s on standard error', async (platform) => {
    const { code, stdout, stderr } = await cli.run(['kubeconfig', 'prod-1', ...URL, '--for', platform])
    expect(code).toBe(0)
    expect(parse(stdout)).toMatchObject({ kind: 'Config' })
    expect(stderr).toContain('authentication-token-webhook-config-file')
    const { value } = await cli.json(['kubeconfig', 'prod-1', ...URL, '--for', platform])
    expect(value).toMatchObject({
      kubeconfig: { kind: 'Config' },
      changes: expect.arrayContaining([expect.anything()]),
    })
  })

  it('gives structured authorization in the version that Kubernetes takes', async () => {
    const ask = (version: string) =>
      cli.json(['kubeconfig', 'a', ...URL, '--for', 'structured', '--kubernetes-version', version])
    const { value } = await ask('1.30')
    expect(JSON.stringify(value)).toContain('apiserver.config.k8s.io/v1beta1')
    expect([28, 29, 30, 31, 32, 36].map(configurationVersion)).toEqual([
      undefined,
      'v1alpha1',
      'v1beta1',
      'v1beta1',
      'v1',
      'v1',
    ])
    expect(await ask('1.28')).toMatchObject({ code: 2, value: { error: expect.stringContaining('structured') } })
  })

  it('writes the token into a file of mode 0600 only', async () => {
    const token = cli.write('caller-token', 'secret-secret\n')
    const embed = ['kubeconfig', 'a', ...URL, '--for', 'talos', '--caller-token-file', token, '--embed-token']
    expect((await cli.run(embed)).code).toBe(2)
    for (const output of ['text', 'json']) {
      const { code, stdout, stderr } = await cli.run([...embed, '--out', 'embedded', '--yes', '-o', output])
      expect(code).toBe(0)
      expect(stdout + stderr).not.toContain('secret-secret')
    }
    const path = join(cli.directory, 'embedded')
    expect(parse(readFileSync(path, 'utf8'))).toMatchObject({ users: [{ user: { token: 'secret-secret' } }] })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['A', 'https://x.example'],
    ['a', 'http://x.example'],
    ['a', 'x.example'],
    ['a', 'https://u:p@x.example'],
    ['a', 'https://x.example/?a=1'],
    ['a', 'https://x.example/clusters/a/webhook'],
  ])('refuses cluster %s at %s', async (cluster, url) => {
    const { code, stdout, stderr } = await cli.run(['kubeconfig', cluster, '--url', url])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).not.toContain('u:p')
  })
})
