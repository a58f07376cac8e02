using StorageActors.Drivers;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>
/// Tries again what failed for the moment, as the engine does. A mount is busy for an instant when any test starts a program: between fork and exec the
/// child has all our descriptors, also those that we close meanwhile.
/// </summary>
internal static class Patience
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    internal static T With<T>(Func<T> action)
    {
        T? result = default;
        TransientDriverException? last = null;
        var done = SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    result = action();
                    return true;
                }
                catch (TransientDriverException e)
                {
                    last = e;
                    return false;
                }
            },
            Limit);
        return done ? result! : throw new InvalidOperationException("still refused after some patience", last);
    }

    internal static void With(Action action) => With(() =>
    {
        action();
        return true;
    });
}
