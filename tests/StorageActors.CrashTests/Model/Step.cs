using System.Text.Json.Serialization;

namespace StorageActors.CrashTests.Model;

/// <summary>One command of the workload, said before it is sent: enough to know what the store is after it, or may be when nobody heard the answer.</summary>
[JsonDerivedType(typeof(ApplyStep), "apply")]
[JsonDerivedType(typeof(CreateStep), "create")]
[JsonDerivedType(typeof(LeaseStep), "lease")]
[JsonDerivedType(typeof(WriteStep), "write")]
[JsonDerivedType(typeof(ReleaseStep), "release")]
[JsonDerivedType(typeof(SealStep), "seal")]
[JsonDerivedType(typeof(RemoveStep), "remove")]
[JsonDerivedType(typeof(NameStep), "name")]
[JsonDerivedType(typeof(LabelStep), "label")]
[JsonDerivedType(typeof(PutImageStep), "put-image")]
[JsonDerivedType(typeof(NameImageStep), "name-image")]
[JsonDerivedType(typeof(RemoveImageStep), "remove-image")]
[JsonDerivedType(typeof(ReadStep), "read")]
internal abstract record Step
{
    /// <summary>The state when it is done.</summary>
    /// <param name="model">The state before.</param>
    /// <param name="answer">What the store said that could not be known before; null when it was not heard.</param>
    internal abstract WorkerModel Done(WorkerModel model, string? answer);

    /// <summary>The states in which a death may leave it, besides that before it: done, or for a command of several wholes some of them.</summary>
    internal virtual IEnumerable<WorkerModel> Outcomes(WorkerModel model) => [Done(model, null)];
}
