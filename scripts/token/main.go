// Token prints a JWT that the local stack admits: it is signed by the
// development key, whose public half `make local` deploys.
//
//	go run ./scripts/token -sub u1 -tenant t1 -permissions 'broadcast:*,subscribe:*'
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"fanfare/scripts/stack"
)

func main() {
	sub := flag.String("sub", "", "the `user` (required)")
	tenant := flag.String("tenant", "", "the `tenant` (required)")
	permissions := flag.String("permissions", "", "`globs` parted by commas, such as 'broadcast:*,subscribe:*'")
	ttl := flag.Duration("ttl", time.Hour, "how long the token is valid")
	expired := flag.Bool("expired", false, "make a token that expired an hour ago")
	flag.Parse()
	if *sub == "" || *tenant == "" || flag.NArg() > 0 || *ttl <= 0 {
		fmt.Fprintln(os.Stderr, "token: -sub and -tenant are required, -ttl must be positive, and nothing may follow the flags")
		flag.Usage()
		os.Exit(2)
	}
	if *expired {
		*ttl = -time.Hour
	}
	root, err := stack.FindRoot()
	if err != nil {
		fmt.Fprintln(os.Stderr, "token:", err)
		os.Exit(1)
	}
	key, err := stack.DevKey(root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "token:", err)
		os.Exit(1)
	}
	fmt.Println(stack.DevToken(key, *sub, *tenant, split(*permissions), *ttl))
}

func split(list string) []string {
	var items []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
