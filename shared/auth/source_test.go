package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/shared/auth"
)

type values = map[string]string

func TestTokenFromRequest(t *testing.T) {
	tests := []struct {
		name        string
		headers     values
		query       values
		token       string
		subprotocol string
		err         error
	}{
		{name: "Authorization", headers: values{"Authorization": "Bearer a.b.c"}, token: "a.b.c"},
		{name: "names and scheme in any case", headers: values{"AUTHORIZATION": "bEARER  a.b.c "}, token: "a.b.c"},
		{name: "subprotocol", headers: values{"Sec-WebSocket-Protocol": "bearer, a.b.c"}, token: "a.b.c", subprotocol: "bearer"},
		{name: "subprotocol in lower case without space", headers: values{"sec-websocket-protocol": "bearer,a.b.c"}, token: "a.b.c", subprotocol: "bearer"},
		{name: "subprotocol among others", headers: values{"Sec-WebSocket-Protocol": "chat, bearer, a.b.c, other"}, token: "a.b.c", subprotocol: "bearer"},
		{name: "query", query: values{"token": "a.b.c"}, token: "a.b.c"},
		{name: "all three agree", headers: values{"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "bearer, a.b.c"}, query: values{"token": "a.b.c"}, token: "a.b.c", subprotocol: "bearer"},
		{name: "bearer offered alone beside Authorization", headers: values{"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "bearer"}, token: "a.b.c", subprotocol: "bearer"},
		{name: "another subprotocol is not echoed", headers: values{"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "graphql-ws"}, token: "a.b.c"},
		{name: "another scheme counts as absent", headers: values{"Authorization": "Basic dTpw"}, query: values{"token": "a.b.c"}, token: "a.b.c"},

		{name: "nothing", err: auth.ErrTokenMissing},
		{name: "empty everywhere", headers: values{"Authorization": "Bearer ", "Sec-WebSocket-Protocol": "bearer,"}, query: values{"token": ""}, err: auth.ErrTokenMissing},
		{name: "scheme without space", headers: values{"Authorization": "Bearera.b.c"}, err: auth.ErrTokenMissing},
		{name: "only another scheme", headers: values{"Authorization": "Basic dTpw"}, err: auth.ErrTokenMissing},
		{name: "bearer in upper case is another subprotocol", headers: values{"Sec-WebSocket-Protocol": "Bearer, a.b.c"}, err: auth.ErrTokenMissing},
		{name: "query name in another case", query: values{"Token": "a.b.c"}, err: auth.ErrTokenMissing},

		{name: "header and query differ", headers: values{"Authorization": "Bearer a.b.c"}, query: values{"token": "d.e.f"}, err: auth.ErrTokenConflict},
		{name: "header and subprotocol differ", headers: values{"Authorization": "Bearer a.b.c", "Sec-WebSocket-Protocol": "bearer, d.e.f"}, err: auth.ErrTokenConflict},
		{name: "subprotocol and query differ", headers: values{"Sec-WebSocket-Protocol": "bearer, a.b.c"}, query: values{"token": "d.e.f"}, err: auth.ErrTokenConflict},
		{name: "two subprotocol tokens differ", headers: values{"Sec-WebSocket-Protocol": "bearer, a.b.c, bearer, d.e.f"}, err: auth.ErrTokenConflict},
		{name: "the same header twice by case", headers: values{"Authorization": "Bearer a.b.c", "authorization": "Bearer d.e.f"}, err: auth.ErrTokenConflict},
		{name: "tokens that differ in case only", headers: values{"Authorization": "Bearer a.b.c"}, query: values{"token": "A.b.c"}, err: auth.ErrTokenConflict},
		{name: "too long", query: values{"token": strings.Repeat("a", auth.MaxToken+1)}, err: auth.ErrTokenMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token, subprotocol, err := auth.TokenFromRequest(tt.headers, tt.query)
			if token != tt.token || subprotocol != tt.subprotocol || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %q, %v; want %q, %q, %v", token, subprotocol, err, tt.token, tt.subprotocol, tt.err)
			}
		})
	}
}

func ExampleTokenFromRequest() {
	// What a browser sends for new WebSocket(url, ["bearer", token]).
	headers := map[string]string{"Sec-WebSocket-Protocol": "bearer, eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"}

	token, subprotocol, err := auth.TokenFromRequest(headers, nil)
	fmt.Println(token, subprotocol, err)

	_, _, err = auth.TokenFromRequest(nil, nil)
	fmt.Println(auth.Code(err))
	// Output:
	// eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl bearer <nil>
	// TOKEN_MISSING
}
