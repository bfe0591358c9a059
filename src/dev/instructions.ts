/** What `npm start` tells to try, as lines that can be copied into a shell in the repository. */
export function instructions(run: {
  readonly webhookUrl: string
  readonly readyUrl: string
  readonly keystoneUrl: string
  readonly embedded: boolean
  /** Whether `npm start` itself serves the HTTP Basic service. */
  readonly embeddedBasic: boolean
  /** `.dev`, relative to the repository. */
  readonly state: string
}): string {
  const { webhookUrl, readyUrl, keystoneUrl, embedded, embeddedBasic, state } = run
  const credentials = embeddedBasic ? 'user1:pass1' : 'USER:PASSWORD'
  return `
1. Get a token${embedded ? ' of the demo user alice' : '; put in a user, password and project of your Keystone'}:

TOKEN=$(curl -s -D - -o /dev/null ${keystoneUrl}/auth/tokens -H 'Content-Type: application/json' -d @- <<'EOF' | tr -d '\\r' | sed -n 's/^x-subject-token: //Ip'
{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "alice", "domain": {"id": "default"}, "password": "alice"}}},
  "scope": {"project": {"name": "demo", "domain": {"id": "default"}}}}}
EOF
)

2. Review it, as kube-apiserver does:

curl -s --cacert ${state}/tls.crt -H @${state}/caller-header ${webhookUrl} -d @- <<EOF
{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "$TOKEN"}}
EOF

3. Point a kube-apiserver on this machine at it, with its flags

--authentication-token-webhook-config-file=${state.startsWith('/') ? '' : '$PWD/'}${state}/webhook.kubeconfig --authentication-token-webhook-version=v1

   and ask it who you are (the kubeconfig must hold no client certificate, which would win over the token):

kubectl --kubeconfig /dev/null --server SERVER --certificate-authority CA_FILE --token "$TOKEN" auth whoami

4. Edit a document (mapping is {} until you do, the defaults); within a minute step 2 shows the new group:

cat > mapping.json <<'EOF'
{"rules": [{"role": "member", "project": "demo", "groups": ["{project.name}:members"]}]}
EOF
npx wrangler kv key put --binding CONFIG mapping --path mapping.json --local

5. Review a user and password, which the HTTP Basic service of BASIC_AUTH_URL checks (docs/authenticators.md):

curl -s --cacert ${state}/tls.crt -H @${state}/caller-header ${webhookUrl} -d '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "${credentials}"}}'

6. See what is in force, and what is wrong with an edit that is not:

curl -s --cacert ${state}/tls.crt -H @${state}/caller-header ${readyUrl}

The credential of cluster dev is in ${state}/caller-token. Ctrl-C ends everything.
`
}
