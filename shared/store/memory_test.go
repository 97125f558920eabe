package store_test

import (
	"testing"

	"fanfare/shared/store"
	"fanfare/shared/store/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return store.NewMemory(store.Options{}) })
}

func TestMemoryWithOtherShardsKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return store.NewMemory(store.Options{TenantShards: 3, ChannelShards: 5})
	})
}

func TestMemoryFindsRowsWrittenWithFewerShards(t *testing.T) {
	table := store.NewMemory(store.Options{})
	testGrowth(t, func(o store.Options) storetest.Store { return table.Reopen(o) })
}
