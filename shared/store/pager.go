package store

import (
	"strconv"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
)

// pager fills a page.
type pager struct {
	page  broadcast.Page
	limit int
	rows  int
	now   time.Time
}

func newPager(o Options, limit int) *pager { return &pager{limit: limit, now: o.Now()} }

func (p *pager) room() int { return p.limit - p.rows }

// add sorts a member of the audience into the live or the stale ones.
func (p *pager) add(c connection.Connection) {
	p.rows++
	if c.Live(p.now) {
		p.page.IDs = append(p.page.IDs, c.ID)
	} else {
		p.page.Stale = append(p.page.Stale, c.ID)
	}
}

// part returns the ids of a list that belong on the page, and sets the page's
// Next to what follows them.
func (p *pager) part(ids []string, from int) []string {
	to := len(ids)
	if p.limit < to-from {
		to = from + p.limit
		p.page.Next = strconv.Itoa(to)
	}
	return ids[from:to]
}
