package sts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// session is what is kept of issued credentials. It holds the secrets in the
// clear, as a snapshot must; it never leaves the package and is never logged.
type session struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	RoleARN, SessionName                       string
	Function, Policy                           string `json:",omitempty"`
	Issued                                     time.Time
	Expires                                    time.Time

	userID string // made once: every call of a function asks for it
}

// state is everything that a snapshot holds.
type state struct {
	Sessions map[string]session // by access key id
}

// remembered is how long an expired session is still known, so that its owner
// hears "expired" and not "invalid".
const remembered = time.Hour

func decodeState(snapshot []byte) (state, error) {
	var st state
	if err := json.Unmarshal(snapshot, &st); err != nil {
		return state{}, fmt.Errorf("restore sts: %w", err)
	}
	if st.Sessions == nil {
		return state{}, fmt.Errorf("restore sts: the snapshot has no Sessions")
	}
	for key, se := range st.Sessions {
		if key != se.AccessKeyID || se.SecretAccessKey == "" {
			return state{}, fmt.Errorf("restore sts: the session of %q is broken", key)
		}
		se.userID = roleID(se.RoleARN) + ":" + se.SessionName
		st.Sessions[key] = se
	}
	return st, nil
}

// add gives a session its keys. It also forgets what expired long ago, so that a
// cloud that runs for weeks does not grow.
func (st state) add(se session, now time.Time, ttl time.Duration) session {
	for key, old := range st.Sessions {
		if now.Sub(old.Expires) > remembered {
			delete(st.Sessions, key)
		}
	}
	se.AccessKeyID = "ASIA" + rand.Text()[:16]
	se.SecretAccessKey = randomBase64(30) // 40 characters, as AWS's
	se.SessionToken = randomBase64(180)
	se.Issued = now.UTC().Truncate(time.Second)
	se.Expires = now.Add(ttl).UTC().Truncate(time.Second)
	se.userID = roleID(se.RoleARN) + ":" + se.SessionName
	st.Sessions[se.AccessKeyID] = se
	return se
}

func randomBase64(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(b)
}

func (se session) credentials() Credentials {
	return Credentials{
		AccessKeyID:     se.AccessKeyID,
		SecretAccessKey: Secret{se.SecretAccessKey},
		SessionToken:    Secret{se.SessionToken},
		Expires:         se.Expires,
	}
}

func (se session) identity() Identity {
	return Identity{
		Credentials: se.credentials(),
		ARN:         SessionARN(se.RoleARN, se.SessionName),
		UserID:      se.userID,
		Account:     awsproto.AccountID,
		RoleARN:     se.RoleARN,
		SessionName: se.SessionName,
		Function:    se.Function,
		Policy:      se.Policy,
		Issued:      se.Issued,
	}
}

// SessionARN names a session of a role, as policies and refusals do.
func SessionARN(roleARN, sessionName string) string {
	return "arn:aws:sts::" + awsproto.AccountID + ":assumed-role/" + roleName(roleARN) + "/" + sessionName
}

// roleName drops the path: assumed-role ARNs do not have it.
func roleName(roleARN string) string { return roleARN[strings.LastIndex(roleARN, "/")+1:] }

// roleID stands in for the id that IAM gives a role, which STS does not know
// here: of the same shape, and the same for the same role.
func roleID(roleARN string) string {
	sum := sha256.Sum256([]byte(roleARN))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
