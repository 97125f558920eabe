package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// newRequestID returns an id in the shape of API Gateway's connection, request
// and message ids: 11 random bytes in URL-safe base64 with one '='.
func newRequestID() string {
	var b [11]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.URLEncoding.EncodeToString(b[:])
}

const base64Alphabets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/"

// isConnectionID reports whether id could be one of ours or AWS's: 15
// characters of base64 and one '='. Both base64 alphabets occur.
func isConnectionID(id string) bool {
	body, ok := strings.CutSuffix(id, "=")
	return ok && len(body) == 15 && strings.Trim(body, base64Alphabets) == ""
}

const idAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID returns an id of n characters, as the control plane's resources have.
func newID(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	for i := range b {
		b[i] = idAlphabet[int(b[i])%len(idAlphabet)]
	}
	return string(b)
}

// newTraceID returns a root in the form Root=1-<8 hex of the time>-<24 hex>.
func newTraceID(now time.Time) string {
	var b [12]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), b)
}
