using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using StorageActors.Benchmarks.Compare;

// compare [JOB...]: whole jobs, ours and the peers' in turns. Anything else is BenchmarkDotNet's: the parts, one by one.
if (args is ["compare", .. var rest]) return await CompareCommand.RunAsync(rest);

// In this process: the toolchain that builds a project of its own would not know where Akka comes from.
var parts = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(CompareCommand).Assembly).Run(args, parts);
return 0;
