using StorageActors.Protocol;

namespace StorageActors.Node.Wire;

/// <summary>The body of every answer that is no success.</summary>
/// <param name="Error">Why.</param>
public sealed record WireError(StorageError Error);

/// <summary>The answer to the opening of an upload or a download.</summary>
/// <param name="Id">The stream's name, for its own address and for the command that uses it.</param>
public sealed record WireTransfer(TransferId Id);

/// <summary>The answer to <c>GET /v1/health</c>.</summary>
/// <param name="Status"><c>ready</c>, or <c>draining</c> when no new work is taken.</param>
/// <param name="Version">The node's version.</param>
/// <param name="Pid">The node's process.</param>
/// <param name="Root">The root that it serves.</param>
public sealed record WireHealth(string Status, string Version, int Pid, string Root);
