// Package lambda is the Lambda of the local cloud: the control plane that
// Terraform and the SDKs call, and a supervisor that runs real `bootstrap`
// binaries as warm processes of this machine.
//
// It stands in the middle of a message's path. The gateway invokes connect,
// message and disconnect through Invoke; the pollers of the event source
// mappings, which the emulator runs, invoke broadcast and deliver; what the
// processes print goes to Options.Log and so to the logs service.
//
//	functions := lambda.New(lambda.Options{
//		Log:         logs.Write,
//		Environment: func(f lambda.FunctionInfo) map[string]string { … credentials, AWS_ENDPOINT_URL … },
//		OnMapping:   pollers.Apply,
//	})
//	defer functions.Close()
//	http.Handle("/2015-03-31/", functions)
//	answer, err := functions.Invoke(ctx, lambda.Request{Function: "connect", Payload: event})
//
// One environment is one process with a Runtime API of its own. It serves one
// invoke at a time, is reused while it is idle and killed, with its whole
// process group, when it is too slow, outdated, idle for too long, or when the
// service closes. Between invokes it is frozen (SIGSTOP), and it is outdated too
// once the cloud's clock has been advanced: its successor has the new time.
//
// A function that runs a 17th time in one chain of requests is stopped, as AWS
// stops recursive loops. Faults can refuse an invoke, delay it, or kill its
// process.
//
// What it does not promise: there is no sandbox. A function runs as the user
// who runs the local cloud, sees the machine's files and its /tmp, and is not
// held to its MemorySize. IAM is not asked here: whoever joins the services
// asks it, and Allowed, before they call Invoke. Layers, container images, VPC,
// function URLs, code signing, destinations, response streaming and managed
// runtimes are refused with a sentence that says so.
package lambda
