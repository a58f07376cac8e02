using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2;

/// <summary>The base of a test class for xunit: an actor system for each test, ended after it.</summary>
public class TestKit : TestKitBase, IDisposable
{
    private bool _disposed;

    public TestKit(ActorSystem? system = null, ITestOutputHelper? output = null) : base(system) => Output = Attach(output);

    public TestKit(ActorSystemSetup config, string? actorSystemName = null, ITestOutputHelper? output = null)
        : base(config, actorSystemName) => Output = Attach(output);

    public TestKit(Config config, string? actorSystemName = null, ITestOutputHelper? output = null)
        : base(config, actorSystemName) => Output = Attach(output);

    public TestKit(string config, ITestOutputHelper? output = null)
        : base(ConfigurationFactory.ParseString(config)) => Output = Attach(output);

    protected readonly ITestOutputHelper? Output;

    /// <summary>Called at the test's end, while the system still runs.</summary>
    protected virtual void AfterAll() { }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing || _disposed) return;
        _disposed = true;
        try
        {
            AfterAll();
        }
        finally
        {
            Shutdown();
        }
    }

    private ITestOutputHelper? Attach(ITestOutputHelper? output)
    {
        if (output is not null) TestOutputLogger.Attach(Sys, output);
        return output;
    }
}
