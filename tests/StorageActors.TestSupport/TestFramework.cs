using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace StorageActors.TestSupport;

/// <summary>
/// xunit's framework, which also unmounts the shared loop file systems after the last test and fails the run when one is held.
/// The exit of the process is too late for that: test hosts are killed a tenth of a second after their last test. A test that hangs ends the run with
/// its name (<see cref="HangWatchdog"/>).
/// </summary>
public sealed class TestFramework(IMessageSink messageSink) : XunitTestFramework(messageSink)
{
    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) =>
        new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Executor(AssemblyName assembly, ISourceInformationProvider sources, IMessageSink diagnostics)
        : XunitTestFrameworkExecutor(assembly, sources, diagnostics)
    {
        protected override void RunTestCases(
            IEnumerable<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions) =>
            _ = RunAsync(testCases, executionMessageSink, executionOptions);

        private async Task RunAsync(IEnumerable<IXunitTestCase> testCases, IMessageSink sink, ITestFrameworkExecutionOptions options)
        {
            using var watchdog = new HangWatchdog(sink);
            using var runner = new Runner(TestAssembly, testCases, DiagnosticMessageSink, watchdog, options);
            await runner.RunAsync();
        }
    }

    private sealed class Runner(
        ITestAssembly assembly, IEnumerable<IXunitTestCase> testCases, IMessageSink diagnostics, IMessageSink sink,
        ITestFrameworkExecutionOptions options)
        : XunitTestAssemblyRunner(assembly, testCases, diagnostics, sink, options)
    {
        protected override Task BeforeTestAssemblyFinishedAsync()
        {
            foreach (var shared in LoopFileSystem.TakeShared()) Aggregator.Run(shared.Dispose);
            return base.BeforeTestAssemblyFinishedAsync();
        }
    }
}
