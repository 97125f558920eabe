package dynamodb

import (
	"math/big"
	"strconv"
	"strings"
)

// DynamoDB's limits of a Number: 38 significant digits, magnitudes from
// 1E-130 to 9.99…E+125.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
const (
	maxDigits   = 38
	minExponent = -129 // of decimal.exp: 0.1E-129 is 1E-130
	maxExponent = 126
)

// decimal is ±0.digits × 10^exp. digits has neither leading nor trailing
// zeros; zero has none at all and is not negative.
type decimal struct {
	neg    bool
	digits string
	exp    int
}

// parseDecimal reads what AWS accepts as a Number: decimal digits with an
// optional sign, point and exponent.
func parseDecimal(text string) (decimal, error) {
	rest, neg := strings.CutPrefix(text, "-")
	if !neg {
		rest = strings.TrimPrefix(rest, "+")
	}
	mantissa, exp, ok := cutExponent(rest)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if !ok || whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, notNumeric(text)
	}
	d := normalize(neg, whole+fraction, len(whole)+exp)
	return d, d.check()
}

// cutExponent splits off e±n. Exponents beyond any that could matter are
// clamped, so that adding to them cannot overflow.
func cutExponent(s string) (mantissa string, exp int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	text := s[i+1:]
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || digits == "" || !allDigits(digits) {
		return "", 0, false
	}
	exp, err := strconv.Atoi(digits)
	if err != nil || exp > 1<<30 {
		exp = 1 << 30
	}
	if text[0] == '-' {
		exp = -exp
	}
	return s[:i], exp, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func normalize(neg bool, digits string, exp int) decimal {
	trimmed := strings.TrimLeft(digits, "0")
	exp -= len(digits) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return decimal{}
	}
	return decimal{neg: neg, digits: trimmed, exp: exp}
}

func notNumeric(text string) error {
	if text == "" {
		return validation("The parameter cannot be converted to a numeric value")
	}
	return validation("The parameter cannot be converted to a numeric value: %s", text)
}

func (d decimal) check() error {
	switch {
	case d.digits == "":
		return nil
	case len(d.digits) > maxDigits:
		return validation("Attempting to store more than 38 significant digits in a Number")
	case d.exp > maxExponent:
		return validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case d.exp < minExponent:
		return validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return nil
}

// String returns the canonical form: plain digits, no exponent, nothing that
// could be left out. It is how AWS gives numbers back.
func (d decimal) String() string {
	if d.digits == "" {
		return "0"
	}
	var b strings.Builder
	if d.neg {
		b.WriteByte('-')
	}
	switch {
	case d.exp <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -d.exp))
		b.WriteString(d.digits)
	case d.exp >= len(d.digits):
		b.WriteString(d.digits)
		b.WriteString(strings.Repeat("0", d.exp-len(d.digits)))
	default:
		b.WriteString(d.digits[:d.exp])
		b.WriteByte('.')
		b.WriteString(d.digits[d.exp:])
	}
	return b.String()
}

// order returns bytes that compare as the numbers do: the sign, the exponent,
// the digits, all inverted for a negative number. The closing 0xFF makes -12
// greater than -123, as its digits end first.
func (d decimal) order() string {
	if d.digits == "" {
		return "\x80"
	}
	b := make([]byte, 0, len(d.digits)+3)
	b = append(b, 0x81, byte(d.exp-minExponent))
	b = append(b, d.digits...)
	if d.neg {
		for i := range b {
			b[i] = ^b[i]
		}
		b = append(b, 0xFF)
	}
	return string(b)
}

// size is what AWS bills: two digits a byte, counted in pairs from the decimal
// point, one byte for the exponent, one for a minus sign.
func (d decimal) size() int {
	if d.digits == "" {
		return 1
	}
	n := 1 + (len(d.digits)+d.exp&1+1)/2
	if d.neg {
		n++
	}
	return n
}

// wholeSeconds returns the integer part, and false where an int64 cannot hold it.
func (d decimal) wholeSeconds() (int64, bool) {
	whole, _, _ := strings.Cut(d.String(), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	return n, err == nil
}

// addNumbers returns the canonical form of a+b or, with minus, of a-b. Both
// are canonical. A sum that needs more than 38 digits is refused, not rounded.
func addNumbers(a, b string, minus bool) (string, error) {
	if sum, ok := addSmall(a, b, minus); ok {
		return sum, nil
	}
	x, y := mustDecimal(a), mustDecimal(b)
	if minus {
		y.neg = !y.neg
	}
	scale := min(x.exp-len(x.digits), y.exp-len(y.digits))
	sum := new(big.Int).Add(x.scaled(scale), y.scaled(scale))
	digits := new(big.Int).Abs(sum).String()
	d := normalize(sum.Sign() < 0, digits, len(digits)+scale)
	return d.String(), d.check()
}

// addSmall is the short way for counters: both fit into 18 digits.
func addSmall(a, b string, minus bool) (string, bool) {
	if len(a) > 18 || len(b) > 18 {
		return "", false
	}
	x, errA := strconv.ParseInt(a, 10, 64)
	y, errB := strconv.ParseInt(b, 10, 64)
	if errA != nil || errB != nil {
		return "", false
	}
	if minus {
		y = -y
	}
	return strconv.FormatInt(x+y, 10), true
}

// scaled returns d / 10^scale as an integer; scale is at most d's last digit.
func (d decimal) scaled(scale int) *big.Int {
	n := new(big.Int)
	if d.digits == "" {
		return n
	}
	n.SetString(d.digits, 10)
	shift := big.NewInt(int64(d.exp - len(d.digits) - scale))
	n.Mul(n, shift.Exp(big.NewInt(10), shift, nil))
	if d.neg {
		n.Neg(n)
	}
	return n
}

// mustDecimal reads a canonical number, which parseDecimal wrote.
func mustDecimal(canonical string) decimal {
	d, _ := parseDecimal(canonical)
	return d
}
