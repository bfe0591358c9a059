/** A reason of the audit line, with what it means and what to do; the table of docs/operations.md, "Audit log". */
export interface ReasonRow {
  readonly decision: string
  /** `policy <path>` stands for every path, `basic_…` for all that begin so. */
  readonly reason: string
  readonly meaning: string
  /** Empty where nothing is to do. */
  readonly remedy: string
}

/** A test holds the table of docs/operations.md equal to these rows. */
export const REASONS: readonly ReasonRow[] = [
  { decision: 'allow', reason: 'authenticated', meaning: 'Keystone vouches for the token', remedy: '' },
  {
    decision: 'allow',
    reason: 'groups_refused',
    meaning: 'the same, without groups: Keystone does not show them to the user',
    remedy: "allow identity:list_groups_for_user to the user itself in Keystone's policy",
  },
  { decision: 'allow', reason: 'policy <path>', meaning: 'this entry of the policy allows the request', remedy: '' },
  {
    decision: 'deny',
    reason: 'malformed',
    meaning: 'not in the format of a Keystone token; nobody was asked',
    remedy: 'nothing: expired ServiceAccount and OIDC tokens get this all the time',
  },
  {
    decision: 'deny',
    reason: 'bad_signature',
    meaning: 'no key of keystone-keys signed the JWS token; nobody was asked',
    remedy: 'if users complain, a key is missing: docs/keystone-keys.md',
  },
  {
    decision: 'deny',
    reason: 'rejected',
    meaning: 'Keystone does not know the token, or no longer',
    remedy: 'issue a new one',
  },
  { decision: 'deny', reason: 'expired', meaning: 'the token has expired', remedy: 'issue a new one' },
  {
    decision: 'deny',
    reason: 'access_rules',
    meaning: 'a token of an application credential with access rules',
    remedy: 'use an application credential without access rules',
  },
  {
    decision: 'deny',
    reason: 'denied',
    meaning: "the mapping's deny has the user, token or application credential",
    remedy: 'docs/mapping.md#deny-a-user-token-or-application-credential',
  },
  {
    decision: 'deny',
    reason: 'scope_not_allowed',
    meaning: 'the scope of the token is not allowed',
    remedy: "use a token for a project, or add the scope to the mapping's allow.scopes",
  },
  {
    decision: 'deny',
    reason: 'domain_not_allowed',
    meaning: "the mapping's allow.domains lacks the user's domain",
    remedy: 'docs/mapping.md#mapping-reference',
  },
  {
    decision: 'deny',
    reason: 'project_not_allowed',
    meaning: "the mapping's allow.projects lacks the token's project",
    remedy: 'docs/mapping.md#mapping-reference',
  },
  {
    decision: 'deny',
    reason: 'reserved_name',
    meaning: "the user's name could pass as another name",
    remedy: 'rename the user: docs/identity.md#who-cannot-log-in',
  },
  {
    decision: 'deny',
    reason: 'no_match',
    meaning: 'no policy entry allows the request, and on_no_match is deny',
    remedy: '',
  },
  { decision: 'no_opinion', reason: 'no_match', meaning: 'no policy entry allows the request', remedy: '' },
  { decision: 'no_opinion', reason: 'not_keystone', meaning: "the user has none of Keystone's extra keys", remedy: '' },
  { decision: 'no_opinion', reason: 'no_policy', meaning: 'there is no policy document', remedy: '' },
  {
    decision: 'unknown',
    reason: 'no_mapping',
    meaning: 'there is no mapping document',
    remedy: 'put {} for the default user mapping',
  },
  {
    decision: 'unknown',
    reason: 'documents',
    meaning: 'a document cannot be read, and no last good version is known',
    remedy: 'look at /readyz',
  },
  {
    decision: 'unknown',
    reason: 'keystone_timeout',
    meaning: 'no answer within KEYSTONE_TIMEOUT_MS',
    remedy: 'check Keystone and the distance to it',
  },
  {
    decision: 'unknown',
    reason: 'keystone_network',
    meaning: 'no connection',
    remedy: 'check DNS, firewall, certificate (a private CA needs the binding KEYSTONE)',
  },
  {
    decision: 'unknown',
    reason: 'keystone_status',
    meaning: 'an answer that says nothing about the token: 403, 429, 5xx',
    remedy: "kube-apiserver's log has the number; check Keystone and proxies in front of it",
  },
  {
    decision: 'unknown',
    reason: 'keystone_redirect',
    meaning: 'a 3xx, which is never followed, because it would send the token on',
    remedy: 'set KEYSTONE_URL to the final address, with /v3',
  },
  {
    decision: 'unknown',
    reason: 'keystone_malformed',
    meaning: 'an answer that is not of the Identity API',
    remedy: 'check that KEYSTONE_URL leads to Keystone and ends in /v3',
  },
  { decision: 'unknown', reason: 'keystone_too_large', meaning: 'an answer over 4 MiB', remedy: '' },
  {
    decision: 'unknown',
    reason: 'keystone_breaker_open',
    meaning: 'not asked: Keystone failed or was late five times in a row',
    remedy: 'check Keystone; it is asked again after 5 to 30 s',
  },
  {
    decision: 'unknown',
    reason: 'basic_…',
    meaning:
      'the HTTP Basic service cannot be asked; the causes are those of keystone_…, and basic_guessing (too many wrong passwords), basic_unchecked (it is not known whether the URL asks for a password)',
    remedy: 'look at the service',
  },
  {
    decision: 'unknown',
    reason: 'keystone_rate_limited',
    meaning: 'not asked: too many new tokens',
    remedy: "find the sender in kube-apiserver's audit log; raise LOOKUPS if they are real users",
  },
  {
    decision: 'unknown',
    reason: 'keystone_busy',
    meaning: 'not asked: too many look-ups wait already',
    remedy: 'Keystone is slow, or there is a flood of new tokens',
  },
  {
    decision: 'unknown',
    reason: 'settings',
    meaning: 'a setting is missing or malformed',
    remedy: 'the log line with settings_faulty names all of them',
  },
  {
    decision: 'unknown',
    reason: 'unexpected',
    meaning: 'a bug',
    remedy: 'please report it with the log line whose code is unexpected',
  },
  {
    decision: 'index1',
    reason: 'cluster',
    meaning: 'of the caller',
    remedy: 'of the credential, - if not listed   | of the caller',
  },
  {
    decision: 'blob1',
    reason: 'kind',
    meaning: 'TokenReview or SubjectAccessReview',
    remedy: 'caller                               | refresh',
  },
  {
    decision: 'blob2',
    reason: 'apiVersion',
    meaning: 'of the review',
    remedy: 'empty                                  | empty',
  },
  {
    decision: 'blob3',
    reason: 'decision',
    meaning: "the audit line's",
    remedy: 'refused                              | empty',
  },
  {
    decision: 'blob4',
    reason: 'reason',
    meaning: "the audit line's; of a policy's entry policy",
    remedy: "the line's                             | empty",
  },
  {
    decision: 'blob5',
    reason: 'source',
    meaning: "the audit line's, empty if it has none",
    remedy: 'empty                                  | keystone, or stale after a failure',
  },
  {
    decision: 'double1',
    reason: 'keystoneCalls',
    meaning: "the audit line's",
    remedy: '0                                      | of the look-up',
  },
  {
    decision: 'double2',
    reason: 'keystoneMs',
    meaning: "the audit line's",
    remedy: '0                                      | of the look-up',
  },
  {
    decision: 'double3',
    reason: 'leftOut',
    meaning: "the audit line's",
    remedy: '0                                      | 0',
  },
  {
    decision: 'double4',
    reason: 'reviewMs',
    meaning: "from the request's arrival to the answer",
    remedy: '0                                      | 0',
  },
  { decision: 'double5', reason: 'count', meaning: '1', remedy: 'number of callers the point stands for | 1' },
]

/** The row for a reason as an audit line has it. */
export function findReason(decision: string, reason: string): ReasonRow | undefined {
  const name = reason.startsWith('policy ') ? 'policy <path>' : reason.startsWith('basic_') ? 'basic_…' : reason
  return REASONS.find((row) => row.reason === name && row.decision === decision)
}
