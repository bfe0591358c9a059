"""Prints a project-scoped token with any expiry, made by Keystone's own code with its own keys.

python3 mint-token.py <keystone.conf>, with {"user", "project", "expires_at"} as JSON on standard input.
"""

import json
import sys

import keystone.conf
from keystone.token import provider as token_provider
from keystone.token.providers.jws import core as jws
from keystone.token import token_formatters as fernet

wanted = json.load(sys.stdin)
keystone.conf.configure()
keystone.conf.CONF(["--config-file", sys.argv[1]], project="keystone")

positional = [wanted["user"], wanted["expires_at"], [token_provider.random_urlsafe_str()]]
named = {"methods": ["password"], "project_id": wanted["project"]}
if keystone.conf.CONF.token.provider == "jws":
    token, _issued_at = jws.JWSFormatter().create_token(*positional, **named)
else:
    token = fernet.TokenFormatter().create_token(*positional, fernet.ProjectScopedPayload, **named)
print(token)
