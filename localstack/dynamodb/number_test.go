package dynamodb

import (
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestNumbersOrderByValue(t *testing.T) {
	sorted := []string{
		"-9.9e125", "-1000", "-123", "-12.5", "-12", "-1", "-0.5", "-1e-130",
		"0", "1e-130", "0.05", "0.5", "1", "1.0000000000000000000000000000000000001", "2", "10", "12", "12.5", "123", "9.9e125",
	}
	orders := make([]string, len(sorted))
	for i, text := range sorted {
		d, err := parseDecimal(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		orders[i] = d.order()
	}
	if !slices.IsSorted(orders) {
		t.Errorf("the stored order of %v is not that of their values", sorted)
	}
}

func TestAddNumbersIsExact(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"0.1", "0.2", "0.3"},
		{"1", "-1", "0"},
		{"99999999999999999999999999999999999999", "-1", "99999999999999999999999999999999999998"},
		{"999999999999999999", "999999999999999999", "1999999999999999998"},
		{"1e37", "1", "10000000000000000000000000000000000001"},
		{"0", "0.5", "0.5"},
	}
	for _, tt := range tests {
		a, _ := parseDecimal(tt.a)
		b, _ := parseDecimal(tt.b)
		if got, err := addNumbers(a.String(), b.String(), false); err != nil || got != tt.want {
			t.Errorf("%s + %s = %s, %v; want %s", tt.a, tt.b, got, err, tt.want)
		}
	}
	if _, err := addNumbers("1"+strings.Repeat("0", 38), "1", false); err == nil {
		t.Error("a sum of 39 digits was not refused")
	}
}

// A byte for two significant digits, and one more [WEB:CapacityUnitCalculations].
func TestNumberSize(t *testing.T) {
	for text, want := range map[string]int{"0": 1, "1": 2, "12": 2, "123": 3, "-1": 3, "100": 2, "1.5": 3, "1234567890": 6} {
		if got := mustDecimal(text).size(); got != want {
			t.Errorf("size of %s = %d, want %d", text, got, want)
		}
	}
}

// FuzzDecimal holds parsing, canonical form and order against math/big.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0", "1", "+1.50", "1e10", "-12.5E-3", ".5", "5.", "1e", "--1", "", "1e999999999999", "0x1", "1_0"} {
		f.Add(s, "2.5")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, errX := parseDecimal(a)
		y, errY := parseDecimal(b)
		if errX != nil || errY != nil {
			return
		}
		bigX, bigY := bigValue(t, a), bigValue(t, b)
		if again, err := parseDecimal(x.String()); err != nil || again != x {
			t.Errorf("%q -> %q -> %+v, %v; not stable", a, x.String(), again, err)
		}
		if bigValue(t, x.String()).Cmp(bigX) != 0 {
			t.Errorf("%q became %q", a, x.String())
		}
		if got, want := strings.Compare(x.order(), y.order()), bigX.Cmp(bigY); got != want {
			t.Errorf("order of %q and %q = %d, want %d", a, b, got, want)
		}
		if text, err := addNumbers(x.String(), y.String(), false); err == nil {
			if want := new(big.Rat).Add(bigX, bigY); bigValue(t, text).Cmp(want) != 0 {
				t.Errorf("%q + %q = %s, want %v", a, b, text, want)
			}
		}
	})
}

func bigValue(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("parseDecimal took %q, which is no number", s)
	}
	return r
}
