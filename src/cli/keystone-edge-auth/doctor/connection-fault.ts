import { type Finding, failed } from './finding.ts'

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/** Why no answer came, by the error code of Node or OpenSSL, and what to do about it. */
export function explainConnection(check: string, code: string): Finding {
  if (UNTRUSTED.has(code))
    return failed(
      check,
      `no authority of this machine signed the certificate (${code})`,
      'give --cacert with the certificate of its authority, for npm start .dev/tls.crt; kube-apiserver needs it too',
    )
  switch (code) {
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return failed(
        check,
        `the certificate has expired or is not valid yet (${code})`,
        'check the clock of this machine, or renew the certificate',
      )
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(check, 'the certificate is for another host name', 'check the host of --url')
    case 'ECONNREFUSED':
      return failed(check, 'the connection is refused', 'check the port of --url, and that the Worker runs')
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return failed(check, `the server does not speak TLS on this port (${code})`, 'check the port of --url')
    case 'TIMEOUT':
      return failed(check, 'no answer came in 15 s', 'check the network, and firewalls on the way')
    default:
      return failed(check, `there is no connection (${code})`, 'check --url, the network and the proxy')
  }
}
