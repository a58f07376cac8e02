namespace Akka.TestKit;

/// <summary>A test class with this marker tells without a sender, not as its test actor.</summary>
public interface INoImplicitSender;
