namespace StorageActors.EngineTests.Support;

/// <summary>
/// How long a test waits for what comes for certain: so long that a machine which does other things meanwhile does not fail it, and shorter than what ends a test
/// that hangs. No test waits this long for something not to happen.
/// </summary>
internal static class Patient
{
    /// <summary>For one message, one task, one thread.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>The same for the test kit, and for the loggers that a system waits for when it starts.</summary>
    internal const string Hocon = """
        akka.test.single-expect-default = 120s
        akka.test.filter-leeway = 120s
        akka.test.default-timeout = 120s
        akka.logger-startup-timeout = 120s

        """;
}
