using Akka.Actor;
using Akka.Configuration;

namespace Akka.TestKit;

/// <summary>The settings under <c>akka.test</c>.</summary>
public class TestKitSettings(Config config) : IExtension
{
    public TimeSpan SingleExpectDefault { get; } = config.GetTimeSpan("akka.test.single-expect-default");
    public TimeSpan TestEventFilterLeeway { get; } = config.GetTimeSpan("akka.test.filter-leeway");
    public TimeSpan DefaultTimeout { get; } = config.GetTimeSpan("akka.test.default-timeout");
    public double TestTimeFactor { get; } = config.GetDouble("akka.test.timefactor");
}
