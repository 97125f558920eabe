package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fanfare/shared/auth/authtest"
)

// Issuer and Audience of development tokens, as environments/local.tfvars has
// them.
const (
	Issuer   = "fanfare-dev"
	Audience = "fanfare"
)

// DevKey returns the key that signs development tokens, <root>/.local/dev-key.pem.
// It is made the first time, with its public half beside it for Terraform.
func DevKey(root string) (*authtest.Key, error) {
	dir := filepath.Join(root, ".local")
	private, public := filepath.Join(dir, "dev-key.pem"), filepath.Join(dir, "dev-key.pub.pem")
	text, err := os.ReadFile(private)
	if errors.Is(err, fs.ErrNotExist) {
		return newDevKey(dir, private, public)
	}
	if err != nil {
		return nil, err
	}
	key, err := authtest.ParseKeyPEM(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key (%w): remove it, and a new one is made", private, err)
	}
	return key, os.WriteFile(public, []byte(key.PublicPEM()), 0o644)
}

// FindRoot returns the repository's folder that holds the current one.
func FindRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		module, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(module), "module fanfare\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not within Fanfare's repository: change into it")
		}
		dir = parent
	}
}

func newDevKey(dir, private, public string) (*authtest.Key, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key := authtest.NewKey()
	// Whole or not at all: half a key would have to be removed by hand.
	if err := os.WriteFile(private+".tmp", []byte(key.PrivatePEM()), 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(private+".tmp", private); err != nil {
		return nil, err
	}
	return key, os.WriteFile(public, []byte(key.PublicPEM()), 0o644)
}

// DevToken mints a token for the local stack. A ttl below zero makes an expired
// one.
func DevToken(key *authtest.Key, user, tenant string, permissions []string, ttl time.Duration) string {
	return key.Sign(authtest.Claims{
		Subject: user, Tenant: tenant, Permissions: permissions,
		Issuer: Issuer, Audience: []string{Audience}, TTL: ttl,
	})
}
