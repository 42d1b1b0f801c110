package kubelet

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

const (
	storageClass = "standard"
	provisioner  = "e2e.argocd-rs.dev/pretend"
)

// startVolumes gives claims of the default storage class a volume with nothing behind it, so that
// stateful applications come up. Binding stays the controller's part.
func (k *Kubelet) startVolumes(ctx, running context.Context) error {
	_, err := k.client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        storageClass,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:       provisioner,
		ReclaimPolicy:     ptr.To(v1.PersistentVolumeReclaimRetain),
		VolumeBindingMode: ptr.To(storagev1.VolumeBindingImmediate),
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the storage class: %w", err)
	}
	factory := informers.NewSharedInformerFactory(k.client, 0)
	claim := func(object any) {
		if claim, ok := object.(*v1.PersistentVolumeClaim); ok {
			k.provision(running, claim)
		}
	}
	_, err = factory.Core().V1().PersistentVolumeClaims().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    claim,
		UpdateFunc: func(_, object any) { claim(object) },
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if claim, ok := object.(*v1.PersistentVolumeClaim); ok {
				k.release(running, claim)
			}
		},
	})
	if err != nil {
		return err
	}
	factory.Start(running.Done())
	return nil
}

func volumeName(claim *v1.PersistentVolumeClaim) string { return "pvc-" + string(claim.UID) }

func (k *Kubelet) provision(ctx context.Context, claim *v1.PersistentVolumeClaim) {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil ||
		claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName != storageClass {
		return
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	_, err := k.client.CoreV1().PersistentVolumes().Create(limited, &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: volumeName(claim)},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              storageClass,
			PersistentVolumeReclaimPolicy: v1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource: v1.PersistentVolumeSource{
				// Never mounted, and so never made.
				HostPath: &v1.HostPathVolumeSource{Path: "/nonexistent/" + volumeName(claim)},
			},
			ClaimRef: &v1.ObjectReference{
				APIVersion: "v1",
				Kind:       "PersistentVolumeClaim",
				Namespace:  claim.Namespace,
				Name:       claim.Name,
				UID:        claim.UID,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) && ctx.Err() == nil {
		klog.ErrorS(err, "provision", "claim", claim.Namespace+"/"+claim.Name, "after", time.Since(claim.CreationTimestamp.Time))
	}
}

// release removes the volume of a claim that is gone.
func (k *Kubelet) release(ctx context.Context, claim *v1.PersistentVolumeClaim) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	err := k.client.CoreV1().PersistentVolumes().Delete(limited, volumeName(claim), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		klog.ErrorS(err, "release", "claim", claim.Namespace+"/"+claim.Name)
	}
}
