package broadcast

// BucketOf is for tests.
var BucketOf = bucketOf
