package telemetry_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"fanfare/shared/telemetry"
)

func TestWhatAClientsLifeIsCountedAs(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(*telemetry.Metrics)
		want []string
	}{
		"admitted":       {(*telemetry.Metrics).Connected, []string{`"Connected":1`}},
		"refused":        {func(m *telemetry.Metrics) { m.Refused("TOKEN_EXPIRED", false) }, []string{`"Refused":1`, `"FailedConnects":0`, `"code":"TOKEN_EXPIRED"`}},
		"failed":         {func(m *telemetry.Metrics) { m.Refused("INTERNAL_ERROR", true) }, []string{`"Refused":1`, `"FailedConnects":1`}},
		"gone":           {func(m *telemetry.Metrics) { m.Disconnected(90 * time.Second) }, []string{`"Disconnected":1`, `"SessionDuration":90`, `"Unit":"Seconds"`}},
		"issuer is down": {func(m *telemetry.Metrics) { m.KeysNotFetched(t.Context(), time.Hour) }, []string{`"KeyFetchFailures":1`, `"KeyAge":3600`}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tt.do(telemetry.NewMetrics(&out, "connect"))
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %s in %s", want, out.String())
				}
			}
		})
	}
}
