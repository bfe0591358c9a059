package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keystone-edge-auth.test/e2e/harness"
)

// pluginStage is a stage whose users log in by client-keystone-auth, through a proxy of their own that counts the log-ins.
type pluginStage struct {
	*stage
	logIns *keystoneProxy
	// plugin is the bundle under the name that users know.
	plugin string
	// path is the PATH without the Node that the repository pins: the plugin runs on the machine's.
	path string
}

// TestClientKeystoneAuth logs in to a real Keystone with the real kubectl, in every way that needs no OpenID provider.
func TestClientKeystoneAuth(t *testing.T) {
	t.Parallel()
	s := &pluginStage{stage: startStage(t, func(t *testing.T) *keystone { return realKeystone(t, "fernet") }, "v1")}
	s.logIns = startProxy(t, s.keystone)
	s.plugin, s.path = installPlugin(t), pathWithoutModules()

	t.Run("a password, in v1 and v1beta1", s.testPassword)
	t.Run("an application credential", s.testApplicationCredential)
	t.Run("a passcode", s.testPasscode)
	t.Run("a cloud of clouds.yaml", s.testCloudsFile)
	t.Run("interactiveMode Never asks nobody", s.testNever)
	t.Run("interactiveMode IfAvailable and Always ask on the terminal", s.testTerminal)
	t.Run("a passcode is asked for after the password", s.testReceiptOnTerminal)
	t.Run("an expired cache is renewed", s.testExpiredCache)
	t.Run("a revoked token is replaced by the next kubectl", s.testRevokedToken)
	t.Run("ten kubectl at once cost one log-in", s.testTenAtOnce)
	t.Run("a wrong password is explained once", s.testWrongPassword)
	t.Run("every process ends when asked", s.expectAllGone)
	t.Run("no token is in a log", s.expectNoSecretInLogs)
}

// installPlugin bundles the plugin of these sources and puts it where users have it.
func installPlugin(t *testing.T) string {
	t.Helper()
	build := exec.Command(harness.NodePath(t), "src/dev/bundle-commands.ts")
	build.Dir, build.Env = harness.RepoRoot(), harness.NodeEnvironment(nil)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	plugin := filepath.Join(t.TempDir(), "client-keystone-auth")
	if err := os.Symlink(filepath.Join(harness.RepoRoot(), "dist/cli/client-keystone-auth.cjs"), plugin); err != nil {
		t.Fatal(err)
	}
	return plugin
}

func pathWithoutModules() string {
	var kept []string
	for _, directory := range filepath.SplitList(os.Getenv("PATH")) {
		if !strings.Contains(directory, "node_modules") {
			kept = append(kept, directory)
		}
	}
	return strings.Join(kept, string(os.PathListSeparator))
}

// pluginUser is a user of kubeconfig who logs in by the plugin, in a home directory of his own.
type pluginUser struct {
	version, interactiveMode string
	variables                map[string]string
}

// variablesOf is how a user of the Go program sets his environment.
func (s *pluginStage) variablesOf(who account) map[string]string {
	return map[string]string{
		"OS_AUTH_URL": s.logIns.url(), "OS_USERNAME": who.user, "OS_PASSWORD": who.password,
		"OS_PROJECT_NAME": who.project, "OS_DOMAIN_NAME": who.domain,
	}
}

// newHome gives the users that follow an empty cache.
func (s *pluginStage) newHome(t *testing.T) string {
	t.Helper()
	s.cluster.kubectlHome = t.TempDir()
	return s.cluster.kubectlHome
}

func (s *pluginStage) kubeconfig(t *testing.T, user pluginUser) kubeconfig {
	t.Helper()
	variables := map[string]string{"PATH": s.path}
	maps.Copy(variables, user.variables)
	var env []any
	for name, value := range variables {
		env = append(env, map[string]any{"name": name, "value": value})
	}
	if user.version == "" {
		user.version = "v1"
	}
	if user.interactiveMode == "" {
		user.interactiveMode = "IfAvailable"
	}
	return s.cluster.newKubeconfig(t, map[string]any{"exec": map[string]any{
		"apiVersion":      "client.authentication.k8s.io/" + user.version,
		"command":         s.plugin,
		"interactiveMode": user.interactiveMode,
		"env":             env,
	}})
}

func (s *pluginStage) expectUser(t *testing.T, config kubeconfig, name string) {
	t.Helper()
	if got := s.cluster.whoami(t, config).Username; got != name {
		t.Errorf("got user %q, want %q", got, name)
	}
	for _, file := range s.cacheFiles(t) {
		s.secret(readCache(t, file)["token"].(string))
	}
}

func (s *pluginStage) cacheFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.cluster.kubectlHome, ".cache/client-keystone-auth/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readCache(t *testing.T, file string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cached map[string]any
	if err := json.Unmarshal(content, &cached); err != nil {
		t.Fatal(err)
	}
	return cached
}

func (s *pluginStage) testPassword(t *testing.T) {
	for _, version := range []string{"v1", "v1beta1"} {
		s.newHome(t)
		before := s.logIns.logInsSoFar()
		config := s.kubeconfig(t, pluginUser{version: version, interactiveMode: "Never", variables: s.variablesOf(alice)})
		for range 3 {
			s.expectUser(t, config, "alice")
		}
		if got := s.logIns.logInsSoFar() - before; got != 1 {
			t.Errorf("%s: three kubectl cost %d log-ins, want 1", version, got)
		}
	}
}

func (s *pluginStage) testApplicationCredential(t *testing.T) {
	s.newHome(t)
	owner := s.keystone.issue(t, bob)
	var created struct {
		Credential struct{ ID, Secret string } `json:"application_credential"`
	}
	s.keystone.call(t, apiCall{
		method: http.MethodPost,
		path:   "/users/" + owner.User.ID + "/application_credentials",
		header: http.Header{"X-Auth-Token": {owner.secret}},
		body:   map[string]any{"application_credential": map[string]any{"name": "plugin-" + rand.Text()}},
		want:   http.StatusCreated,
		into:   &created,
	})
	s.expectUser(t, s.kubeconfig(t, pluginUser{variables: map[string]string{
		"OS_AUTH_URL":                      s.logIns.url(),
		"OS_APPLICATION_CREDENTIAL_ID":     created.Credential.ID,
		"OS_APPLICATION_CREDENTIAL_SECRET": created.Credential.Secret,
	}}), "bob")
}

func (s *pluginStage) testPasscode(t *testing.T) {
	s.newHome(t)
	user, passcode := s.newPasscodeUser(t, false)
	variables := s.variablesOf(user)
	delete(variables, "OS_PASSWORD")
	variables["OS_AUTH_TYPE"], variables["OS_PASSCODE"] = "v3totp", passcode()
	s.expectUser(t, s.kubeconfig(t, pluginUser{variables: variables}), user.user)
}

func (s *pluginStage) testCloudsFile(t *testing.T) {
	directory := filepath.Join(s.newHome(t), ".config/openstack")
	writeTo(t, filepath.Join(directory, "clouds.yaml"), fmt.Sprintf(`
clouds:
  prod:
    auth: {auth_url: '%s', username: alice, project_name: demo, user_domain_name: Default, project_domain_name: Default}
`, strings.TrimSuffix(s.logIns.url(), "/v3")))
	writeTo(t, filepath.Join(directory, "secure.yaml"), "clouds: {prod: {auth: {password: alice}}}")
	s.expectUser(t, s.kubeconfig(t, pluginUser{variables: map[string]string{"OS_CLOUD": "prod"}}), "alice")
}

func writeTo(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *pluginStage) testNever(t *testing.T) {
	s.newHome(t)
	variables := s.variablesOf(alice)
	delete(variables, "OS_PASSWORD")
	config := s.kubeconfig(t, pluginUser{interactiveMode: "Never", variables: variables})
	terminal := s.openTerminal(t, config)
	if output := terminal.wait(t); !strings.Contains(output, "the password is missing: set OS_PASSWORD") {
		t.Errorf("got %q", output)
	}
}

func (s *pluginStage) testTerminal(t *testing.T) {
	for _, mode := range []string{"IfAvailable", "Always"} {
		s.newHome(t)
		variables := s.variablesOf(alice)
		delete(variables, "OS_PASSWORD")
		delete(variables, "OS_USERNAME")
		config := s.kubeconfig(t, pluginUser{interactiveMode: mode, variables: variables})
		terminal := s.openTerminal(t, config)
		terminal.expect(t, "User name: ")
		terminal.enter(t, "alice")
		terminal.expect(t, "Password for alice at ")
		terminal.enter(t, "not-the-password")
		if output := terminal.wait(t); strings.Contains(output, "not-the-password") || !strings.Contains(output, "the password or the passcode is wrong") {
			t.Errorf("%s: got %q", mode, output)
		}
		terminal = s.openTerminal(t, config)
		terminal.expect(t, "User name: ")
		terminal.enter(t, "alice")
		terminal.expect(t, "Password for ")
		terminal.enter(t, "alice")
		if output := terminal.wait(t); !strings.Contains(output, "Username") {
			t.Errorf("%s: got %q", mode, output)
		}
		// What was typed is not asked for again while the token lasts.
		if output := s.openTerminal(t, config).wait(t); strings.Contains(output, "Password") || !strings.Contains(output, "alice") {
			t.Errorf("%s: the second kubectl: got %q", mode, output)
		}
	}
}

func (s *pluginStage) testReceiptOnTerminal(t *testing.T) {
	s.newHome(t)
	user, passcode := s.newPasscodeUser(t, true)
	config := s.kubeconfig(t, pluginUser{variables: s.variablesOf(user)})
	terminal := s.openTerminal(t, config)
	terminal.expect(t, "Passcode for ")
	terminal.enter(t, passcode())
	if output := terminal.wait(t); !strings.Contains(output, user.user) {
		t.Errorf("got %q", output)
	}
	s.expectUser(t, config, user.user)
}

func (s *pluginStage) testExpiredCache(t *testing.T) {
	s.newHome(t)
	config := s.kubeconfig(t, pluginUser{variables: s.variablesOf(alice)})
	s.expectUser(t, config, "alice")
	file := s.cacheFiles(t)[0]
	cached := readCache(t, file)
	cached["expiresAtMs"] = time.Now().Add(-time.Second).UnixMilli()
	content, err := json.Marshal(cached)
	if err != nil {
		t.Fatal(err)
	}
	writeTo(t, file, string(content))
	before := s.logIns.logInsSoFar()
	s.expectUser(t, config, "alice")
	if got := s.logIns.logInsSoFar() - before; got != 1 {
		t.Errorf("an expired cache cost %d log-ins, want 1", got)
	}
}

func (s *pluginStage) testRevokedToken(t *testing.T) {
	home := s.newHome(t)
	// The first call is the user's own, so that no cache of kube-apiserver or of the webhook has seen the token.
	first := exec.Command(s.plugin)
	first.Env = []string{"HOME=" + home, "PATH=" + s.path}
	for name, value := range s.variablesOf(alice) {
		first.Env = append(first.Env, name+"="+value)
	}
	if output, err := first.Output(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	// The PATH is no input of the log-in: kubectl's call finds the same token.
	token := readCache(t, s.cacheFiles(t)[0])["token"].(string)
	s.keystone.revoke(t, issuedToken{secret: s.secret(token)})
	before := s.logIns.logInsSoFar()
	config := s.kubeconfig(t, pluginUser{variables: s.variablesOf(alice)})
	// client-go returns the 401 that made it run the plugin again.
	s.cluster.expectUnauthorized(t, config)
	s.expectUser(t, config, "alice")
	if got := s.logIns.logInsSoFar() - before; got != 1 {
		t.Errorf("a revoked token cost %d log-ins, want 1", got)
	}
}

func (s *pluginStage) testTenAtOnce(t *testing.T) {
	s.newHome(t)
	before := s.logIns.logInsSoFar()
	config := s.kubeconfig(t, pluginUser{variables: s.variablesOf(bob)})
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { s.expectUser(t, config, "bob") })
	}
	group.Wait()
	if got := s.logIns.logInsSoFar() - before; got != 1 {
		t.Errorf("ten kubectl at once cost %d log-ins, want 1", got)
	}
}

func (s *pluginStage) testWrongPassword(t *testing.T) {
	s.newHome(t)
	variables := s.variablesOf(alice)
	variables["OS_PASSWORD"] = "not-" + rand.Text()
	result := s.cluster.kubectl(t, s.kubeconfig(t, pluginUser{variables: variables}), "get", "--raw", "/version")
	if result.err == nil || !strings.Contains(result.stderr, "the user, the domain, the password or the passcode is wrong") {
		t.Errorf("got %v\n%s", result.err, result.stderr)
	}
	if strings.Contains(result.stderr, variables["OS_PASSWORD"]) {
		t.Error("the password is in the error")
	}
}

// newPasscodeUser is a member of the project demo who has a passcode; with both, Keystone asks for it after the password.
func (s *pluginStage) newPasscodeUser(t *testing.T, both bool) (account, func() string) {
	t.Helper()
	admin := http.Header{"X-Auth-Token": {s.keystone.issue(t, s.keystone.admin()).secret}}
	demo := s.keystone.issue(t, alice)
	who := account{user: "passcode-" + rand.Text(), password: rand.Text(), domain: "Default", project: "demo"}
	options := map[string]any{}
	if both {
		options = map[string]any{"multi_factor_auth_enabled": true, "multi_factor_auth_rules": []any{[]string{"password", "totp"}}}
	}
	var created struct{ User named }
	s.keystone.call(t, apiCall{method: http.MethodPost, path: "/users", header: admin, want: http.StatusCreated, into: &created,
		body: map[string]any{"user": map[string]any{"name": who.user, "password": who.password, "domain_id": "default", "options": options}}})
	s.keystone.call(t, apiCall{method: http.MethodPut, header: admin, want: http.StatusNoContent,
		path: "/projects/" + demo.Project.ID + "/users/" + created.User.ID + "/roles/" + demo.Roles[0].ID})
	key := make([]byte, 20)
	_, _ = rand.Read(key)
	s.keystone.call(t, apiCall{method: http.MethodPost, path: "/credentials", header: admin, want: http.StatusCreated,
		body: map[string]any{"credential": map[string]any{"type": "totp", "blob": base32.StdEncoding.EncodeToString(key), "user_id": created.User.ID}}})
	return who, func() string { return passcodeAt(key, time.Now()) }
}

// passcodeAt is the passcode of RFC 6238: six digits by HMAC-SHA-1, for 30 seconds.
func passcodeAt(key []byte, now time.Time) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, uint64(now.Unix()/30))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1_000_000)
}
