package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func FuzzSelection(f *testing.F) {
	f.Add("$request.body.action", `{"action":"join"}`)
	f.Add("${request.body.service}/${request.body.action}", `{"service":"chat"}`)
	f.Add(`\$${request.body.a[0].b}-x`, `{"a":[{"b":[1,null,{}]}]}`)
	f.Add("$request.body[0", `[]`)
	f.Add("${", `{`)
	f.Fuzz(func(t *testing.T, expression, message string) {
		s, err := parseSelection(expression)
		if err != nil {
			return
		}
		for _, part := range s {
			if part.literal == "" && len(part.path) == 0 {
				t.Fatalf("%q has a part that is nothing", expression)
			}
		}
		first, ok := s.routeKey([]byte(message))
		if ok != json.Valid([]byte(message)) {
			t.Fatalf("%q on %q: ok is %v", expression, message, ok)
		}
		if again, _ := s.routeKey([]byte(message)); again != first {
			t.Fatalf("%q on %q: %q, then %q", expression, message, first, again)
		}
		if !strings.ContainsAny(expression, `$\`) && ok && first != expression {
			t.Fatalf("the literal %q gives %q", expression, first)
		}
	})
}

func FuzzDataPath(f *testing.F) {
	f.Add("/_aws/execute-api/abc/live")
	f.Add("/_aws/execute-api/abc/live/")
	f.Add("/_aws/execute-api/abc/live/@connections/R1kmxc2VNjMCFIA=")
	f.Add("/_aws/execute-api/abc/live/%40connections/a%2Fb%3D")
	f.Add("/_aws/execute-api/%zz/live")
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := parseDataPath(path)
		if !ok {
			return
		}
		if !p.management && p.connection != "" {
			t.Fatalf("%q gives %+v", path, p)
		}
		// An escaped slash belongs to what it is in, a plain one never does.
		if n := strings.Count(path, "/"); p.management != (n == 6) || n > 6 {
			t.Fatalf("%q gives %+v", path, p)
		}
	})
}

func FuzzConnectionID(f *testing.F) {
	for _, id := range []string{"R1kmxc2VNjMCFIA=", "JC1dgf9yoAMCK-g=", "U_vNtdtRIAMCIoA=", "R0oX++/AdfD0kwCH6w==", "R1kmxc2V\nNjMCFIA=", "", "="} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if isConnectionID(id) && (len(id) != 16 || strings.ContainsAny(id, "\r\n %\"\\")) {
			t.Fatalf("%q is taken for an id", id)
		}
		if made := newRequestID(); !isConnectionID(made) {
			t.Fatalf("our own %q is not", made)
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add(append(maskedFrame(frameText, strings.Repeat("a", 200)), maskedFrame(frameFinal|frameContinuation, strings.Repeat("b", 300))...), 3)
	f.Add(append(maskedFrame(frameFinal|framePing, "x"), maskedFrame(frameFinal|frameBinary, "")...), 1)
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 5)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		// The sizes are the same, in whatever pieces the stream comes.
		var whole, pieces frameParser
		want := slices.Collect(whole.dataFrames(stream))
		var got []uint64
		for part := range slices.Chunk(stream, max(1, piece)) {
			got = slices.AppendSeq(got, pieces.dataFrames(part))
		}
		if !slices.Equal(got, want) || whole != pieces {
			t.Fatalf("in pieces of %d: %d, at once: %d", piece, got, want)
		}
	})
}
